//! Who sent a request.

use std::net::IpAddr;

/// The address that the connection of a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);
