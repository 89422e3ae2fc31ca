// Placeholder until the first file of Dispatcher lands.
