"""Where training steps are: sinks, the slices that losses come from, and the forms of both."""
