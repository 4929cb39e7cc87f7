//! The edge of the world: sources in three nodes, the ends of sinks, and serving.

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{Connector, FileFormat, Schema, Serve, SourceColumn, TimeSpec};
use crate::plan::{Accept, Connection, Decode, Gate, Hashes};

use super::form::{self, Form};
use super::values::Columns;
use super::{Marks, STATELESS};

/// Its position belongs to where the data comes from. Where that is columnar, which columns are read is part of what it
/// does; elsewhere editing columns does not touch it.
pub fn connection(connection: &Connection) -> Marks {
    let Connection { recorded, live, keep, columns } = connection;
    let all = [recorded, live, keep];
    let fields: Vec<Form> =
        if all.into_iter().flatten().any(is_columnar) { columns.iter().map(field).collect() } else { vec![] };
    let form = |connector: &Option<Connector>| connector.as_ref().map(form::connector);
    Marks {
        hashes: Hashes {
            sem: Hash::of(&(all.map(form), fields)),
            state: Hash::of(&("connection", form(recorded), form(live))),
            ..Hashes::default()
        },
        ..Marks::default()
    }
}

fn is_columnar(connector: &Connector) -> bool {
    match connector {
        Connector::File(file) => match file.format {
            FileFormat::Parquet | FileFormat::Arrow => true,
            FileFormat::Csv(_)
            | FileFormat::Jsonl
            | FileFormat::Json
            | FileFormat::Msgpack
            | FileFormat::Wav
            | FileFormat::Images
            | FileFormat::Idx { .. } => false,
        },
        Connector::Simulate(_)
        | Connector::Stdin { .. }
        | Connector::Stdout { .. }
        | Connector::Tail(_)
        | Connector::Http(_)
        | Connector::Post(_)
        | Connector::Later { .. } => false,
    }
}

/// What a declared column's values are. Bounds only refuse rows.
fn field(column: &SourceColumn) -> Form {
    let SourceColumn { column, origin, sentinels, bounds: _ } = column;
    json!(["field", form::ty(&column.ty), origin, sentinels])
}

pub fn decode(decode: &Decode) -> Marks {
    let mut made = Columns::default();
    let mut entries: Vec<(Name, Hashes)> = Vec::new();
    for declared in &decode.columns {
        let name = &declared.column.name;
        let sem = Hash::of(&(field(declared), declared.column.nullable, declared.bounds));
        entries.push((name.clone(), Hashes { sem, ..Hashes::default() }));
        made.set(name.clone(), Hash::of(&field(declared)));
    }
    Marks::of_entries(json!("decode"), entries, made)
}

pub fn gate(gate: &Gate, schema: &Schema, input: &Columns) -> Marks {
    let Gate { time, limits } = gate;
    let state = Hash::of(&("gate", self::time(time, &form::by_name)));
    let mut made = input.clone();
    let clock = match time {
        TimeSpec::Column { expr, .. } => input.define(expr),
        TimeSpec::None | TimeSpec::Arrival | TimeSpec::Every { .. } => state,
    };
    for column in schema.columns.iter().filter(|column| !input.contains(&column.name)) {
        made.set(column.name.clone(), clock);
    }
    Marks {
        hashes: Hashes { sem: Hash::of(&(state, limits)), state, flow: read_for_time(time, input), ..Hashes::default() },
        made: made.timed(schema),
        ..Marks::default()
    }
}

fn time(time: &TimeSpec, see: form::See) -> Form {
    match time {
        TimeSpec::None | TimeSpec::Arrival | TimeSpec::Every { .. } => json!(time),
        TimeSpec::Column { expr, by } => json!({ "column": [form::expr(expr, see), by] }),
    }
}

fn read_for_time(time: &TimeSpec, input: &Columns) -> Hash {
    match time {
        TimeSpec::None | TimeSpec::Arrival | TimeSpec::Every { .. } => Hash::ZERO,
        TimeSpec::Column { expr, by } => Hash::of(&(input.read_by([expr]), input.keys(by))),
    }
}

/// What was written belongs to where it went.
pub fn accept(accept: &Accept, schema: &Schema, input: &Columns) -> Marks {
    let Accept { connector, keeps: _ } = accept;
    let to = form::connector(connector);
    let columns: Vec<Form> = accept.columns(schema).map(form::column).collect();
    let flow: Vec<Hash> = accept.columns(schema).map(|column| input.of(&column.name)).collect();
    Marks {
        hashes: Hashes {
            sem: Hash::of(&(&to, columns)),
            state: Hash::of(&("accept", &to)),
            flow: Hash::of(&flow),
            ..Hashes::default()
        },
        ..Marks::default()
    }
}

pub fn serve(serve: &Serve) -> Marks {
    let Serve { task: _, accepts_features, connector, span: _ } = serve;
    let at = form::connector(connector);
    Marks {
        hashes: Hashes {
            sem: Hash::of(&(accepts_features, &at)),
            state: Hash::of(&("serve", &at)),
            flow: STATELESS,
            ..Hashes::default()
        },
        ..Marks::default()
    }
}
