//! One HTTP router for the Beak, on Lambda and on your own machine.
