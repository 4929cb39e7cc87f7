//! The language half on a generated file of 1,000 nodes: parse alone, and the whole way from text to graph.

mod generate;

use std::path::Path;

use divan::{Bencher, black_box};

use mliot::base::SourceId;
use mliot::compile::{World, compile};
use mliot::syntax::parse;

const NODES: usize = 1_000;
const SEED: u64 = 7;

fn main() {
    divan::main();
}

struct Memory(String);

impl World for Memory {
    fn read(&self, _: &Path) -> std::io::Result<String> {
        Ok(self.0.clone())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

#[divan::bench]
fn parse_1000_nodes(bencher: Bencher) {
    let text = generate::file(SEED, NODES);
    bencher.bench_local(|| black_box(parse(SourceId(0), &text)));
}

#[divan::bench]
fn compile_1000_nodes(bencher: Bencher) {
    let world = Memory(generate::file(SEED, NODES));
    let compiled = compile(Path::new("large.mliot"), &world, &[]);
    assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics.first());
    bencher.bench_local(|| black_box(compile(Path::new("large.mliot"), &world, &[])));
}
