//! What AWS is asked, and what is made of its answers.
