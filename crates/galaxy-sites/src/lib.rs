//! The five sites: their files, what a browser may cache and where each one points.
