//! Choosing again among the models of an earlier training, where only what is asked of them has changed: no training.

use crate::base::Hash;
use crate::diag::Diagnostic;
use crate::ir::network::Network;
use crate::ir::{Choice, Models};
use crate::model::Config;
use crate::plan::{Graph, Learn, Training};

use super::candidates::allows;
use super::choose::{standing_of, verdicts};
use super::complaint::not_met;
use super::registry::features_of;
use super::{Chosen, Manifest, Member, Registry, RegistryError, Spared, Standing, Version, choose};

/// One kept model as the choice sees it.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    pub family: &'a str,
    pub config: &'a Config,
    /// Of a network of the file, as it was when it was trained.
    pub network: Option<&'a Network>,
    pub member: &'a Member,
}

/// The champion so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// Position among the kept.
    pub at: usize,
    /// The goal and requirements by which it was chosen, as a hash; None where nobody wrote them down.
    pub under: Option<Hash>,
}

/// What the kept models say to a policy.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// The champion so far is allowed, and what is asked of it is what it was chosen by.
    Stays(usize),
    /// Chosen among those that are allowed; positions are those among all kept.
    Chosen(Chosen),
    /// None of them is allowed, so that only a search can help.
    Search,
    /// Somebody has pinned a version that is not among them: it alone may answer, where it can.
    PinnedElsewhere,
}

impl Decision {
    /// Who answers by it. A champion that is to be kept although nothing meets the requirements is `current`.
    pub fn champion(&self, current: Option<usize>) -> Option<usize> {
        match self {
            Decision::Stays(at) => Some(*at),
            Decision::Search => current,
            Decision::PinnedElsewhere => None,
            Decision::Chosen(chosen) if chosen.standing == Standing::KeepsChampion => chosen.champion.or(current),
            Decision::Chosen(chosen) => chosen.champion,
        }
    }
}

/// `wanted` is the hash of `choice`.
pub fn decide(kept: &[Kept], models: &Models, choice: &Choice, wanted: Hash, current: Option<Current>) -> Decision {
    let allowed: Vec<usize> =
        (0..kept.len()).filter(|at| allows(models, kept[*at].family, kept[*at].config, kept[*at].network)).collect();
    if allowed.is_empty() {
        return Decision::Search;
    }
    if let Some(Current { at, under }) = current
        && under == Some(wanted)
        && allowed.contains(&at)
    {
        return Decision::Stays(at);
    }
    let members: Vec<Member> = allowed.iter().map(|at| kept[*at].member.clone()).collect();
    let current = current.and_then(|current| allowed.iter().position(|at| *at == current.at));
    let Chosen { standing, champion, pareto, nearest, verdicts, costliest, spared } = choose(&members, choice, current);
    Decision::Chosen(Chosen {
        standing,
        champion: champion.map(|at| allowed[at]),
        pareto: pareto.into_iter().map(|at| allowed[at]).collect(),
        nearest: nearest.map(|at| allowed[at]),
        verdicts,
        costliest: costliest.map(|(requirement, at)| (requirement, allowed[at])),
        spared: spared.map(|Spared { best, within, error }| Spared { best: allowed[best], within: allowed[within], error }),
    })
}

/// The models of one training that a task may choose from, and what it chooses.
#[derive(Clone, Debug, PartialEq)]
pub struct Again {
    /// Champion at the time first.
    pub kept: Vec<Manifest>,
    /// Position of the champion so far.
    pub current: Option<usize>,
    pub decision: Decision,
    /// Are rows, split and budget those of the training? If not, a new one follows the text.
    pub is_current: bool,
    /// The version that stays whatever is chosen or learned.
    pub pinned: Option<Version>,
}

impl Again {
    /// Of a training with these features and this target: one that had the split and the budget of now before others, and of
    /// those the champion's own before newer ones. None where there is none.
    ///
    /// # Errors
    /// If the state folder cannot be read.
    pub fn of(registry: &Registry, learn: &Learn, closure: &Graph) -> Result<Option<Again>, RegistryError> {
        let features = features_of(closure, &learn.task.name);
        let training = Training::of(learn);
        let has_features = |manifest: &Manifest| manifest.identity.features == features;
        // What somebody wanted goes before what the text would choose by itself.
        if registry.reign(&learn.task.name)?.is_some_and(|reign| reign.is_wanted(training.choice)) {
            let again = Again::among(registry, learn, registry.generation(&learn.task.name, &has_features)?)?;
            if again.as_ref().is_some_and(|again| again.current.is_some() || again.pinned.is_some()) {
                return Ok(again);
            }
        }
        let is_current = |manifest: &Manifest| has_features(manifest) && is_current(manifest, &training);
        let again = Again::among(registry, learn, registry.generation(&learn.task.name, &is_current)?)?;
        // Whoever is to be kept may come from an earlier training.
        match again.filter(|again| !again.keeps_another()) {
            Some(again) => Ok(Some(again)),
            None => Again::among(registry, learn, registry.generation(&learn.task.name, &has_features)?),
        }
    }

    /// Among the models of one training, of whatever features.
    pub(super) fn among(registry: &Registry, learn: &Learn, kept: Vec<Manifest>) -> Result<Option<Again>, RegistryError> {
        let Some(first) = kept.first() else { return Ok(None) };
        let training = Training::of(learn);
        let is_current = is_current(first, &training);
        let reign = registry.reign(&learn.task.name)?;
        let pinned = reign.as_ref().filter(|reign| reign.pinned).map(|reign| reign.champion.clone());
        let place = |version: &Version| kept.iter().position(|manifest| manifest.version == *version);
        let current = reign.and_then(|reign| Some(Current { at: place(&reign.champion)?, under: reign.under }));
        let models: Vec<Kept> = kept.iter().map(Manifest::as_kept).collect();
        let decision = match (&pinned, current) {
            (Some(_), Some(current)) => Decision::Stays(current.at),
            (Some(_), None) => Decision::PinnedElsewhere,
            (None, current) => decide(&models, &learn.task.models, &learn.policy.choice, training.choice, current),
        };
        Ok(Some(Again { current: current.map(|current| current.at), decision, is_current, pinned, kept }))
    }

    /// Of the newest training that any model was kept of, the champion's own before others.
    ///
    /// # Errors
    /// If the state folder cannot be read.
    pub fn of_champion(registry: &Registry, learn: &Learn) -> Result<Option<Again>, RegistryError> {
        let kept = registry.generation(&learn.task.name, &|_| true)?;
        Again::among(registry, learn, kept)
    }

    /// Who answers from now on.
    pub fn champion(&self) -> Option<&Manifest> {
        self.decision.champion(self.current).map(|at| &self.kept[at])
    }

    /// The champion so far.
    pub fn before(&self) -> Option<&Manifest> {
        self.current.map(|at| &self.kept[at])
    }

    fn keeps_another(&self) -> bool {
        let keeps = matches!(&self.decision, Decision::Chosen(chosen) if chosen.standing == Standing::KeepsChampion);
        keeps && self.champion().is_none()
    }

    /// Is a search to begin beside whoever answers? Nothing that it could find would take a pinned version's place.
    pub fn wants_search(&self) -> bool {
        self.pinned.is_none() && (self.decision == Decision::Search || !self.is_current)
    }

    /// What the decision means for a policy: of a champion that simply stays, how it stands. None where nobody of these is
    /// to answer.
    pub(super) fn chosen(&self, learn: &Learn) -> Option<Chosen> {
        match &self.decision {
            Decision::Chosen(chosen) => Some(chosen.clone()),
            Decision::Stays(at) => Some(stays(*at, &self.kept[*at].member, &learn.policy.choice)),
            Decision::Search | Decision::PinnedElsewhere => None,
        }
    }

    /// What its owner should know: requirements that whoever answers does not meet.
    pub fn complaint(&self, learn: &Learn) -> Option<Diagnostic> {
        let chosen = self.chosen(learn).filter(|chosen| chosen.standing != Standing::Met)?;
        let is_news = matches!(self.decision, Decision::Chosen(_)) || self.pinned.is_some();
        is_news.then(|| not_met(&learn.task, &learn.policy, &chosen, &|at| &self.kept[at].family))
    }

    /// What happened, for people, without the task's name: `chosen again without training, from 3 models that were measured:
    /// logistic occupancy-2 in place of tree occupancy-1`.
    pub fn words(&self) -> String {
        let name = |manifest: &Manifest| format!("{} {}", manifest.family, manifest.version);
        let measured = match self.kept.len() {
            1 => "the one model that was measured".to_owned(),
            count => format!("the {count} models that were measured"),
        };
        if let Some(pinned) = &self.pinned {
            return match self.champion() {
                Some(champion) => format!("{} is pinned and stays", name(champion)),
                None => format!("{pinned} is pinned and stays; it is no model of this training"),
            };
        }
        let outcome = match (self.champion(), self.before()) {
            (None, _) => "none meets the requirements, rows get no prediction".to_owned(),
            (Some(champion), Some(before)) if champion.version == before.version => format!("{} stays", name(champion)),
            (Some(champion), Some(before)) => format!("{} in place of {}", name(champion), name(before)),
            (Some(champion), None) => name(champion),
        };
        match (&self.decision, self.champion()) {
            (Decision::Search, Some(champion)) => {
                format!("`models` allows none of {measured}; {} answers until a search has found another", name(champion))
            }
            (Decision::Search, None) => format!("`models` allows none of {measured}; a search begins"),
            (Decision::Stays(_) | Decision::PinnedElsewhere, _) => outcome,
            (Decision::Chosen(_), _) => format!("chosen again without training, from {measured}: {outcome}"),
        }
    }
}

/// Of a champion that nobody has chosen anew.
fn stays(at: usize, member: &Member, choice: &Choice) -> Chosen {
    Chosen {
        standing: standing_of(member, choice),
        champion: Some(at),
        pareto: Vec::new(),
        nearest: Some(at),
        verdicts: verdicts(member, choice),
        costliest: None,
        spared: None,
    }
}

fn is_current(manifest: &Manifest, training: &Training) -> bool {
    let Training { split, budget, choice: _ } = manifest.identity.training;
    (split, budget) == (training.split, training.budget)
}

impl Manifest {
    fn as_kept(&self) -> Kept<'_> {
        let network = match &self.models {
            Models::Auto => None,
            Models::Listed(list) => list.iter().find(|candidate| candidate.family == *self.family),
        };
        let network = network.and_then(|candidate| candidate.network.as_ref());
        Kept { family: &self.family, config: &self.config, network, member: &self.member }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{BinaryOp, Choices, Dimension, Goal, Metric, MetricKind, Otherwise, Requirement, Value};
    use crate::lifecycle::Measured;
    use crate::lifecycle::fixtures::candidate;
    use crate::model::ConfigValue;

    const UNDER: Option<Hash> = Some(Hash::ZERO);

    fn member(accuracy: f64, p99_ms: f64, size: u64) -> Member {
        let measured = Measured { latency_p50: p99_ms / 2e3, latency_p99: p99_ms / 1e3, memory: size, size };
        Member { figures: [("accuracy".to_owned(), accuracy)].into(), measured, ..Member::default() }
    }

    fn most_accurate(p99_ms: f64, otherwise: Otherwise) -> Choice {
        let metric = |kind| Metric { kind, class: None };
        let fast = Requirement {
            metric: metric(MetricKind::LatencyP99),
            op: BinaryOp::Le,
            bound: p99_ms / 1e3,
            otherwise,
            text: "fast".into(),
            span: Default::default(),
        };
        Choice { goal: Goal { maximize: true, metric: metric(MetricKind::Accuracy) }, requirements: vec![fast] }
    }

    fn listed(families: &[&str]) -> Models {
        Models::Listed(families.iter().map(|family| candidate(family, Vec::new())).collect())
    }

    /// A forest of 100 trees, a tree, and a line: from the best and slowest to the worst and fastest.
    fn decided(models: &Models, p99_ms: f64, otherwise: Otherwise, current: Option<Current>) -> Decision {
        let trees = Config::default().with("trees", ConfigValue::Int(100));
        let (forest, tree, line) = (member(0.99, 5.0, 400_000), member(0.97, 0.5, 9_000), member(0.9, 0.01, 500));
        let plain = Config::default();
        let kept = [
            Kept { family: "forest", config: &trees, network: None, member: &forest },
            Kept { family: "tree", config: &plain, network: None, member: &tree },
            Kept { family: "logistic", config: &plain, network: None, member: &line },
        ];
        decide(&kept, models, &most_accurate(p99_ms, otherwise), Hash::ZERO, current)
    }

    #[test]
    fn an_edited_requirement_chooses_from_what_was_measured() {
        let before = Some(Current { at: 0, under: None });
        for (p99_ms, wanted) in [(10.0, 0), (1.0, 1), (0.1, 2)] {
            let decision = decided(&Models::Auto, p99_ms, Otherwise::Warn, before);
            assert_eq!(decision.champion(Some(0)), Some(wanted), "{p99_ms} ms");
        }
        for (otherwise, wanted) in [(Otherwise::Warn, Some(2)), (Otherwise::Abstain, None), (Otherwise::KeepChampion, Some(0))]
        {
            let decision = decided(&Models::Auto, 0.001, otherwise, before);
            assert_eq!(decision.champion(Some(0)), wanted, "nothing is as fast: {otherwise:?}");
        }
    }

    #[test]
    fn an_edited_list_keeps_the_champion_or_takes_the_best_it_allows_or_asks_for_a_search() {
        let champion = |at| Some(Current { at, under: UNDER });
        let of = |families: &[&str], at| decided(&listed(families), 10.0, Otherwise::Warn, champion(at));
        assert_eq!(of(&["tree", "forest"], 1), Decision::Stays(1), "although the forest is better");
        assert_eq!(of(&["logistic", "tree"], 0).champion(Some(0)), Some(1));
        assert_eq!(of(&["boosted"], 0), Decision::Search);
        assert_eq!(of(&["boosted"], 0).champion(Some(0)), Some(0), "it answers meanwhile");
    }

    #[test]
    fn settings_in_the_list_are_bounds() {
        let trees = |choices| Models::Listed(vec![candidate("forest", vec![("trees", choices)])]);
        let range = |low, high| Choices::One(Dimension::Range(Value::Int(low), Value::Int(high)));
        let of = |choices| decided(&trees(choices), 10.0, Otherwise::Warn, None);
        assert_eq!(of(range(50, 100)).champion(None), Some(0));
        assert_eq!(of(range(5, 99)), Decision::Search);
        assert_eq!(of(Choices::One(Dimension::Fixed(Value::Int(100)))).champion(None), Some(0));
        assert_eq!(of(Choices::One(Dimension::Fixed(Value::Int(99)))), Decision::Search);
    }
}
