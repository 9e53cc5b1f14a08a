"""Why a step is left as it is, where the reason is the step's and not one statement's."""
