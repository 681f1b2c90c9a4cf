"""Who is this? What users like, in words, with the evidence and a verdict that is counted."""
