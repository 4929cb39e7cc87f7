//! Where rows and predictions go.

use crate::base::Span;

use super::{Connector, Head, Ident, Pipe};

/// `sink alert = now | where guess | to mqtt(…)`; the stage `to` is taken off the pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    pub head: Head,
    pub pipe: Pipe,
    pub to: Connector,
}

/// `serve occupancy accepts features at http(port: 8080)`
#[derive(Clone, Debug, PartialEq)]
pub struct Serve {
    pub task: Ident,
    /// Where `accepts features` stands.
    pub accepts_features: Option<Span>,
    pub at: Connector,
}
