//! A whole galaxy in one process, kept in one folder.
