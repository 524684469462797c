//! The doctor finds what ails the account in memory.
