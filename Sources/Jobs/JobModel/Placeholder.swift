// Placeholder until the first file of JobModel lands.
