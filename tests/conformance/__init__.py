"""How many positions are right: the converter against ground truth from KOReader's engine, judged by the web reader."""
