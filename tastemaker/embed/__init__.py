"""What is this item? Its pictures, its words and its film, and what it costs to look at them."""
