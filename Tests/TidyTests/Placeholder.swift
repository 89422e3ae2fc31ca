// Placeholder until the first file of TidyTests lands.
