"""The lesson that an atlas gives: its chapters chosen, each with units that show what its depth sees."""
