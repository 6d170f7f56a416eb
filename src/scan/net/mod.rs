//! The only files that open sockets. Every connection is admitted by the scope, paced and recorded.
pub mod called;
pub mod dtls;
pub mod http;
pub mod tape;
pub mod tls;
pub mod wire;

pub use tape::Tape;
pub use wire::{Datagrams, Trouble, Wire};
