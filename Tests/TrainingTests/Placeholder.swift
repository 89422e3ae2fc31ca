// Placeholder until the first file of TrainingTests lands.
