//! What the graph serves: ports taken before the old ones are left, doors that change while connections stay.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::diag::{Code, Diagnostic};
use crate::ir::{Connector, Serve};
use crate::plan::{Graph, NodeOp};
use crate::runtime::Way;
use crate::server::{Address, Backend, Door, DoorKey, Limits, Listener};

use super::resources::{Lease, Table};

pub struct Serving {
    ports: Table<Address, Listener>,
    backend: Arc<dyn Backend>,
    limits: Limits,
    runtime: Handle,
    /// The keys go before the leases: a port is closed when nothing is served there.
    open: Vec<(DoorKey, Lease<Listener>)>,
}

/// Ports that a graph needs, open and still without its doors. Dropping it closes those that nobody else has.
pub struct Opened(Vec<(Door, Lease<Listener>)>);

impl Serving {
    pub fn new(backend: Arc<dyn Backend>, limits: Limits, runtime: Handle) -> Serving {
        Serving { ports: Table::default(), backend, limits, runtime, open: Vec::new() }
    }

    /// Opens what `wanted` serves and is not open yet. Nothing that is open changes.
    pub fn prepare(&self, wanted: &Graph) -> Result<Opened, Vec<Diagnostic>> {
        let (mut opened, mut wrong) = (Vec::new(), Vec::new());
        for serve in served(wanted) {
            match self.prepare_one(serve, wanted) {
                Ok(one) => opened.push(one),
                Err(found) => wrong.push(found.at(serve.span, "")),
            }
        }
        if wrong.is_empty() { Ok(Opened(opened)) } else { Err(wrong) }
    }

    fn prepare_one(&self, serve: &Serve, wanted: &Graph) -> Result<(Door, Lease<Listener>), Diagnostic> {
        let at = address(serve)?;
        let way = Way::of(wanted, &serve.task).ok_or_else(|| nothing_to_serve(serve))?;
        let door = Door::new(serve.task.clone(), &way.columns, way.target.as_ref(), way.time.as_ref());
        let open = || Listener::open(&at, self.backend.clone(), self.limits, &self.runtime);
        Ok((door, self.ports.lease(&at, open)?))
    }

    /// The new doors take the place of the old ones; what is not served any more is closed.
    pub fn commit(&mut self, opened: Opened) {
        let open = opened.0.into_iter().map(|(door, lease)| (lease.doors().open(door), lease)).collect();
        self.open = open;
    }

    /// Where requests for what are answered.
    pub fn addresses(&self) -> Vec<String> {
        self.open.iter().map(|(key, lease)| format!("http://{}/predict/{}", lease.at(), key.task())).collect()
    }

    pub fn close(&mut self) {
        self.open.clear();
    }
}

/// What a graph serves.
pub fn served(graph: &Graph) -> impl Iterator<Item = &Serve> {
    graph.nodes.values().filter_map(|spec| match &spec.op {
        NodeOp::Serve(serve) => Some(&**serve),
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Stage(_)
        | NodeOp::Task(_)
        | NodeOp::Accept(_) => None,
    })
}

fn address(serve: &Serve) -> Result<Address, Diagnostic> {
    match &serve.connector {
        Connector::Http { host, port } => Ok(Address { host: host.to_string(), port: *port }),
        Connector::File(_) | Connector::Simulate(_) | Connector::Stdin { .. } | Connector::Stdout { .. } => {
            Err(Diagnostic::new(Code::E0752, format!("`{}` cannot be served there", serve.task))
                .help("write `at http(port: 8080)`"))
        }
        Connector::Later { name, .. } => Err(Diagnostic::new(Code::E0199, format!("`{name}` does not serve in this version"))
            .help("write `at http(port: 8080)`")),
    }
}

fn nothing_to_serve(serve: &Serve) -> Diagnostic {
    Diagnostic::new(Code::E0752, format!("`{}` has no source whose rows a request could carry", serve.task))
        .help("let the task learn from a stream of one source, or write `accepts features`")
}
