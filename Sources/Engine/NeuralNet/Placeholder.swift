// Placeholder until the first file of NeuralNet lands.
