"""What the reader sees: texts, the status report and the menu model, as data. Draws nothing."""
