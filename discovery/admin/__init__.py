"""The pages of the console for where to look in Dropbox."""
