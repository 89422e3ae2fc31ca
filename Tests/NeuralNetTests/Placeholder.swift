// Placeholder until the first file of NeuralNetTests lands.
