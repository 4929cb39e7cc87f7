//! What comes in, by chance: in order and late, twice, with nulls, in bursts, after long silence, over clocks that jump, with
//! records that nobody can read and lines that die.

use super::random::Random;

/// Files that a source may read in turn.
pub const PATHS: u8 = 3;

/// One thing that happens at the far end of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// Milliseconds of the virtual clock since the arrival before.
    pub gap_ms: i64,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Row(Raw),
    /// A record that cannot be read.
    Bad,
    /// The line is dead: said when its next row is asked for, or when it is looked at.
    Dies {
        at_once: bool,
    },
}

/// The fields of a record; numbers are quarters.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// Milliseconds of event time.
    pub at_ms: i64,
    pub id: i64,
    pub key: Option<char>,
    pub g: Option<i64>,
    pub a: Option<i64>,
    pub b: Option<i64>,
    pub c: Option<i64>,
    pub y: Option<i64>,
}

/// How troubled a line is, in percent of its records.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    late: usize,
    doubled: usize,
    null: usize,
    bad: usize,
    silence: usize,
    jump: usize,
    dies: bool,
}

/// `rows` records of one file of one source; `from_ms` is where their event time begins.
pub fn script(rows: usize, from_ms: i64, first_id: i64, chance: &mut Random) -> Vec<Arrival> {
    let calm = chance.chance(30);
    let trouble = Trouble {
        late: if calm { 0 } else { chance.below(40) },
        doubled: chance.below(8),
        null: chance.below(15),
        bad: chance.below(8),
        silence: chance.below(6),
        jump: if chance.chance(20) { 2 } else { 0 },
        dies: chance.chance(8),
    };
    let mut script: Vec<Arrival> = Vec::with_capacity(rows);
    let mut now = from_ms;
    for nth in 0..rows {
        let gap_ms = gap(trouble, chance);
        now += if chance.chance(trouble.jump) { chance.between(-20_000, 60_000) } else { gap_ms };
        let again = script.last().filter(|_| chance.chance(trouble.doubled)).map(|last| last.what.clone());
        let what = again.unwrap_or_else(|| one(now, first_id + nth as i64, trouble, chance));
        script.push(Arrival { gap_ms, what });
    }
    if trouble.dies && rows > 0 {
        let at = chance.below(rows);
        script.truncate(at);
        script.push(Arrival { gap_ms: 10, what: What::Dies { at_once: chance.chance(50) } });
    }
    script
}

fn gap(trouble: Trouble, chance: &mut Random) -> i64 {
    match chance.below(100) {
        draw if draw < trouble.silence => chance.between(5_000, 30_000),
        draw if draw < 35 => 0,
        _ => chance.between(1, 2_000),
    }
}

fn one(now: i64, id: i64, trouble: Trouble, chance: &mut Random) -> What {
    if chance.chance(trouble.bad) {
        return What::Bad;
    }
    let late = if chance.chance(trouble.late) { chance.between(0, 6_000) } else { 0 };
    let maybe = |value: i64, chance: &mut Random| (!chance.chance(trouble.null)).then_some(value);
    let key = *chance.pick(&['a', 'b', 'c']);
    What::Row(Raw {
        at_ms: (now - late).max(0),
        id,
        key: (!chance.chance(trouble.null)).then_some(key),
        g: maybe(chance.between(0, 2), chance),
        a: maybe(chance.between(-12, 20), chance),
        b: maybe(chance.between(-12, 20), chance),
        c: maybe(chance.between(-12, 20), chance),
        y: maybe(chance.between(-12, 20), chance),
    })
}
