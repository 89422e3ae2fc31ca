// Placeholder until the first file of JobStore lands.
