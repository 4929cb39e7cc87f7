//! The program `mliot`.

fn main() {}
