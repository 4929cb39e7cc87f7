//! The typed program as a graph: one function per kind of declaration.

mod reads;

use crate::base::{Name, Span};
use crate::ir;

use super::fingerprint::fingerprint;
use super::{Accept, Connection, Decode, Gate, Graph, Hashes, Input, Label, Learn, NodeKey, NodeOp, NodeSpec, Slot};

use reads::Reads;

/// The graph of a program that was checked without errors, with all its hashes. The order of declarations does not count.
pub fn lower(program: &ir::Program) -> Graph {
    let mut lowering = Lowering { reads: Reads::new(program), graph: Graph::default() };
    program.sources.values().for_each(|source| lowering.source(source));
    program.streams.values().for_each(|stream| lowering.stream(stream));
    program.tasks.values().for_each(|task| lowering.task(task, &program.policies[&task.policy]));
    program.sinks.values().for_each(|sink| lowering.sink(sink));
    program.serves.values().for_each(|serve| lowering.serve(serve));
    fingerprint(&mut lowering.graph);
    lowering.graph
}

struct Lowering<'a> {
    reads: Reads<'a>,
    graph: Graph,
}

/// What a node is, before it has its hashes.
struct Draft {
    key: NodeKey,
    op: NodeOp,
    inputs: Vec<Input>,
    schema: ir::Schema,
    on_change: ir::OnChange,
    span: Span,
}

impl Lowering<'_> {
    /// Connection, decode, gate: editing columns changes the second, editing `time` the third, and the first stays.
    fn source(&mut self, source: &ir::Source) {
        let ir::Source { name, columns, recorded, live, keep, time, limits, schema, span } = source;
        let connection = NodeKey::of_file(name, Slot::Connection);
        let decode = NodeKey::of_file(name, Slot::Decode);
        let gate = NodeKey::of_file(name, Slot::Gate);
        let part = |key: &NodeKey, op, inputs, schema| Draft {
            key: key.clone(),
            op,
            inputs,
            schema,
            on_change: ir::OnChange::Empty,
            span: *span,
        };
        let other_end =
            Connection { recorded: recorded.clone(), live: live.clone(), keep: keep.clone(), columns: columns.clone() };
        let declared =
            ir::Schema { columns: columns.iter().map(|column| column.column.clone()).collect(), ..Default::default() };
        self.add(part(&connection, NodeOp::Connection(Box::new(other_end)), vec![], ir::Schema::default()));
        self.add(part(
            &decode,
            NodeOp::Decode(Decode { columns: columns.clone() }),
            vec![rows_of(connection.clone())],
            declared,
        ));
        let clock = Gate { time: time.clone(), limits: limits.clone() };
        self.add(part(&gate, NodeOp::Gate(Box::new(clock)), vec![rows_of(decode.clone())], schema.clone()));
        if let Some(connector) = keep.clone() {
            let key = NodeKey::of_file(name, Slot::Keep);
            let accept = Accept { connector, keeps: true };
            self.add(part(&key, NodeOp::Accept(Box::new(accept)), vec![rows_of(gate.clone())], schema.clone()));
        }
        self.graph.outlets.insert(name.clone(), rows_of(gate));
    }

    fn stream(&mut self, stream: &ir::Stream) {
        let ir::Stream { name, was, input, stages, schema: _, span: _ } = stream;
        let end = self.stages(name, input, stages);
        self.graph.outlets.insert(name.clone(), end);
        if let Some(old) = was {
            self.graph.was.insert(name.clone(), old.clone());
        }
    }

    /// Where the rows come out of the last stage.
    fn stages(&mut self, decl: &Name, input: &ir::Read, stages: &[ir::Stage]) -> Input {
        let mut end = self.reads.resolve(input);
        for (stage, key) in stages.iter().zip(stage_keys(decl, stages)) {
            let mut inputs = vec![end];
            inputs.extend(stage.op.others().iter().map(|read| self.reads.resolve(read)));
            end = rows_of(key.clone());
            self.add(Draft {
                key,
                op: NodeOp::Stage(Box::new(stage.op.clone())),
                inputs,
                schema: stage.schema.clone(),
                on_change: stage.on_change,
                span: stage.span,
            });
        }
        end
    }

    fn task(&mut self, task: &ir::Task, policy: &ir::Policy) {
        let from = self.reads.resolve(&task.from);
        let schema = self.graph.nodes.get(&from.node).map(|node| node.schema.clone()).unwrap_or_default();
        self.add(Draft {
            key: NodeKey::of_file(&task.name, Slot::Task),
            op: NodeOp::Task(Box::new(Learn { task: task.clone(), policy: policy.clone() })),
            inputs: vec![from],
            schema,
            on_change: ir::OnChange::default(),
            span: task.span,
        });
    }

    fn sink(&mut self, sink: &ir::Sink) {
        let ir::Sink { name, input, stages, schema, connector, span } = sink;
        let end = self.stages(name, input, stages);
        self.add(Draft {
            key: NodeKey::of_file(name, Slot::Accept),
            op: NodeOp::Accept(Box::new(Accept { connector: connector.clone(), keeps: false })),
            inputs: vec![end],
            schema: schema.clone(),
            on_change: ir::OnChange::Empty,
            span: *span,
        });
    }

    fn serve(&mut self, serve: &ir::Serve) {
        self.add(Draft {
            key: NodeKey::of_file(&serve.task, Slot::Serve),
            op: NodeOp::Serve(Box::new(serve.clone())),
            inputs: vec![rows_of(NodeKey::of_file(&serve.task, Slot::Task))],
            schema: ir::Schema::default(),
            on_change: ir::OnChange::Empty,
            span: serve.span,
        });
    }

    fn add(&mut self, draft: Draft) {
        let Draft { key, op, inputs, schema, on_change, span } = draft;
        let hashes = Hashes::default();
        let spec = NodeSpec { key: key.clone(), op, inputs, schema, on_change, hashes, entries: Default::default() };
        self.graph.nodes.insert(key.clone(), spec);
        self.graph.spans.insert(key, span);
    }
}

fn rows_of(node: NodeKey) -> Input {
    Input { node, outlet: ir::Outlet::Rows }
}

/// Who the stages of one declaration are, in their order. In each use of a transform they are counted on their own.
pub(super) fn stage_keys<'a>(decl: &'a Name, stages: &'a [ir::Stage]) -> impl Iterator<Item = NodeKey> + 'a {
    stages.iter().enumerate().map(move |(at, stage)| {
        let alike = |other: &&ir::Stage| other.kind == stage.kind && other.id.is_none() && other.within == stage.within;
        let own = match &stage.id {
            Some(id) => Label::Id(id.clone()),
            None => Label::Nth(u32::try_from(stages[..at].iter().filter(alike).count()).unwrap_or(u32::MAX)),
        };
        let label = match stage.within.as_slice() {
            [] => own,
            uses => Label::Within { uses: uses.to_vec(), label: Box::new(own) },
        };
        NodeKey::of_file(decl, Slot::Stage { kind: stage.kind, label })
    })
}
