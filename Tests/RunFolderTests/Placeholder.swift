// Placeholder until the first file of RunFolderTests lands.
