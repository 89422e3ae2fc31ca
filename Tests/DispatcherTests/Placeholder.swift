// Placeholder until the first file of DispatcherTests lands.
