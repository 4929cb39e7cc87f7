//! A seeded generator of large, valid files: the same seed and size give the same text on every machine.

use std::fmt::Write;

/// A file whose graph has about `nodes` nodes: sources of four columns, and streams that read sources or earlier streams.
pub fn file(seed: u64, nodes: usize) -> String {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut text = String::from("param limit: float = 10\n\n");
    let sources = (nodes / 60).max(1);
    for nth in 0..sources {
        source(&mut text, nth);
    }
    let mut made = sources * 3;
    let mut streams = 0;
    while made < nodes {
        made += stream(&mut text, &mut chance, streams, sources);
        streams += 1;
    }
    text
}

fn source(text: &mut String, nth: usize) {
    let _ = write!(
        text,
        "source s{nth} {{\n  columns {{\n    at: time\n    device: int\n    a: float<ppm>\n    b: float<degC>\n  }}\n  recorded csv(\"s{nth}.csv\")\n  time at, lateness 1s\n}}\n\n"
    );
}

/// Writes a stream of four stages and gives their number.
fn stream(text: &mut String, chance: &mut Chance, nth: usize, sources: usize) -> usize {
    let from = chance.below(sources);
    let bound = chance.below(900);
    let step = chance.below(5) + 1;
    let _ = write!(
        text,
        "stream t{nth} = s{from}\n  | where a > {bound} and b < 40\n  | scan by device {{ rise = a - (lag(a, {step}) else a) }}\n  | set {{ dry = a * 2 + {bound}; warm = if b > 21 then a / 3 else a }}\n  | where dry > limit or rise > {step}\n\n"
    );
    4
}

/// A small linear congruential generator: a text needs no better one.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % bound as u64) as usize
    }
}
