"""One vision-language model that both finds and tells: training it, and judging what it does."""
