//! Small inputs and what becomes of them.
