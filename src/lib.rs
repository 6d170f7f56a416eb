//! Patuh: conformance testing of IoT security baselines.
pub mod bundle;
pub mod image;
pub mod judge;
pub mod model;
pub mod report;
pub mod scan;
pub mod sim;
