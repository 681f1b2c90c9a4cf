"""What is this item? One vector for its picture and its words, and words for its picture."""
