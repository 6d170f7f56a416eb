//! Patuh: conformance testing of IoT security baselines.
pub mod model;
