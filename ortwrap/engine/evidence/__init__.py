"""What an object is: a module, a criterion, an optimizer, a tensor, a number; and what tells."""
