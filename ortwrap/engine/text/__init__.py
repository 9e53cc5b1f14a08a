"""The script as text: parsed, with the place of every node, edited, and checked afterwards."""
