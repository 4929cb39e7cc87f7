//! Which model predicts which row of the recording that was learned from (LANGUAGE.md, section 8): never one that has seen it.

use std::sync::Arc;

use crate::base::Time;
use crate::node::{Assignment, Ordinal, Predictor};

use super::{Part, Split, Stored};

/// Who answers a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    /// The model of this round, which has not seen the row.
    Twin(usize),
    Champion,
}

/// Over rows that stand at `ordinals` (rising) in the parts of `split`. `twins` has one model per round. Rows behind the last
/// one are new and answered by the champion; rows between two of the table share the fate of the one before.
/// The number is that of positions whose rows would need different models; nobody answers these.
pub fn assignment(
    split: &Split,
    ordinals: &[u64],
    champion: &Arc<dyn Predictor>,
    twins: &[Arc<dyn Predictor>],
) -> (Assignment, usize) {
    pieces(split.parts.iter().map(|part| who(*part)).zip(ordinals.iter().copied()), champion, twins)
}

/// The same for a kept version and its twins.
pub fn assignment_of(stored: &Stored, split: &Split, ordinals: &[u64]) -> (Assignment, usize) {
    let champion: Arc<dyn Predictor> = stored.fitted.clone();
    let twins: Vec<Arc<dyn Predictor>> = stored.twins.iter().map(|twin| twin.clone() as Arc<dyn Predictor>).collect();
    assignment(split, ordinals, &champion, &twins)
}

/// Of a champion that learned from rows up to `until`, whichever they were: it answers the rows behind that time, and what
/// comes after the table. The number is that of positions with rows on both sides.
pub fn assignment_after(until: Time, times: &[i64], ordinals: &[u64], champion: &Arc<dyn Predictor>) -> (Assignment, usize) {
    let who = |time: &i64| if *time > until.0 { Who::Champion } else { Who::Nobody };
    pieces(times.iter().map(who).zip(ordinals.iter().copied()), champion, &[])
}

fn pieces(
    rows: impl Iterator<Item = (Who, u64)>,
    champion: &Arc<dyn Predictor>,
    twins: &[Arc<dyn Predictor>],
) -> (Assignment, usize) {
    let mut at: Vec<(u64, Who)> = Vec::new();
    let mut torn = 0;
    for (who, ordinal) in rows {
        match at.last_mut() {
            Some((last, before)) if *last == ordinal => {
                if *before != who && *before != Who::Nobody {
                    torn += 1;
                }
                if *before != who {
                    *before = Who::Nobody;
                }
            }
            _ => at.push((ordinal, who)),
        }
    }
    let model = |who: Who| match who {
        Who::Nobody => None,
        Who::Twin(round) => twins.get(round).cloned(),
        Who::Champion => Some(champion.clone()),
    };
    let end = at.last().map_or(0, |(ordinal, _)| ordinal + 1);
    let mut pieces = Vec::new();
    let mut before = None;
    for (ordinal, who) in at.into_iter().chain([(end, Who::Champion)]) {
        if before != Some(who) {
            pieces.push((Ordinal(ordinal), model(who)));
            before = Some(who);
        }
    }
    (Assignment { pieces }, torn)
}

fn who(part: Part) -> Who {
    match part {
        Part::Train => Who::Nobody,
        Part::Validate => Who::Twin(0),
        Part::Fold(fold) => Who::Twin(fold as usize),
        Part::HoldOut | Part::Later => Who::Champion,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::RecordBatch;

    use super::*;
    use crate::node::{NodeError, Predictions};

    #[derive(Debug)]
    struct Named(&'static str);

    impl Predictor for Named {
        fn predict(&self, _: &RecordBatch) -> Result<Predictions, NodeError> {
            unreachable!("nobody asks")
        }

        fn version(&self) -> &str {
            self.0
        }
    }

    fn named(name: &'static str) -> Arc<dyn Predictor> {
        Arc::new(Named(name))
    }

    /// Who answers the ordinals 0..count, `-` for nobody.
    fn answered(parts: Vec<Part>, ordinals: &[u64], count: u64) -> (String, usize) {
        let split = Split {
            parts,
            rounds: Vec::new(),
            earlier: Vec::new(),
            refit: Vec::new(),
            hold_out: Vec::new(),
            later: Vec::new(),
            words: String::new(),
            warnings: Vec::new(),
        };
        let (assignment, torn) = assignment(&split, ordinals, &named("c"), &[named("0"), named("1")]);
        let of = |at| {
            assignment.at(Ordinal(at)).map_or("-", |model| match model.version() {
                "0" => "0",
                "1" => "1",
                _ => "c",
            })
        };
        ((0..count).map(of).collect(), torn)
    }

    #[test]
    fn training_rows_get_null_and_new_rows_the_champion() {
        use Part::{Fold, HoldOut, Later, Train, Validate};
        let rows = |parts: Vec<Part>| answered(parts, &[2, 3, 5, 6], 9).0;
        assert_eq!(rows(vec![Train, Train, Validate, HoldOut]), "-----0ccc");
        assert_eq!(rows(vec![Fold(1), Fold(0), Fold(1), Fold(1)]), "--10011cc");
        assert_eq!(rows(vec![Train, Later, Later, Later]), "---cccccc");
    }

    #[test]
    fn a_champion_of_before_answers_what_is_later_than_all_it_learned_from() {
        let (assignment, torn) = assignment_after(Time(20), &[10, 30, 20, 25], &[2, 3, 5, 6], &named("c"));
        let answered: String = (0..9).map(|at| if assignment.at(Ordinal(at)).is_some() { 'c' } else { '-' }).collect();
        assert_eq!((answered.as_str(), torn), ("---cc-ccc", 0));
    }

    #[test]
    fn rows_of_one_position_that_would_need_different_models_get_null() {
        let parts = vec![Part::Fold(0), Part::Fold(1), Part::Fold(0), Part::Fold(0)];
        assert_eq!(answered(parts, &[0, 0, 1, 1], 3), ("-0c".to_owned(), 1));
        let parts = vec![Part::Train, Part::Validate, Part::Validate];
        assert_eq!(answered(parts, &[0, 0, 1], 3).0, "-0c");
    }
}
