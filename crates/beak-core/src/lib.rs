//! The Beak's domain: ids, ducklings, pecks, certificates, tiers and the ports they need.
