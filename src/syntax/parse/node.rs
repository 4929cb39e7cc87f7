//! A pair of pest, with the questions that the builder asks.
//!
//! Children are looked up by rule, so that keywords and punctuation need no attention.

use pest::iterators::Pair;

use super::grammar::Rule;

#[derive(Clone, Debug)]
pub struct Node<'a>(Pair<'a, Rule>);

impl<'a> Node<'a> {
    pub fn new(pair: Pair<'a, Rule>) -> Self {
        Self(pair)
    }

    pub fn rule(&self) -> Rule {
        self.0.as_rule()
    }

    pub fn into_pair(self) -> Pair<'a, Rule> {
        self.0
    }

    pub fn children(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.0.clone().into_inner().map(Node)
    }

    pub fn all(&self, rule: Rule) -> impl Iterator<Item = Node<'a>> + use<'a> {
        self.children().filter(move |child| child.rule() == rule)
    }

    pub fn find(&self, rule: Rule) -> Option<Node<'a>> {
        self.children().find(|child| child.rule() == rule)
    }

    pub fn has(&self, rule: Rule) -> bool {
        self.find(rule).is_some()
    }

    /// The child that the grammar promises.
    pub fn get(&self, rule: Rule) -> Node<'a> {
        self.find(rule).unwrap_or_else(|| panic!("the grammar promises {rule:?} in {:?}", self.rule()))
    }

    /// The first child that is one of these.
    pub fn one_of(&self, rules: &[Rule]) -> Option<Node<'a>> {
        self.children().find(|child| rules.contains(&child.rule()))
    }

    pub fn only(&self) -> Node<'a> {
        self.children().next().unwrap_or_else(|| panic!("the grammar promises a child in {:?}", self.rule()))
    }

    pub fn start(&self) -> usize {
        self.0.as_span().start()
    }

    /// Where its last token ends: pest counts blanks before an absent optional part as part of the pair.
    pub fn end(&self) -> usize {
        match self.0.clone().into_inner().next_back() {
            Some(last) => Node(last).end(),
            None => self.0.as_span().end(),
        }
    }

    /// What stands there, without blanks around.
    pub fn text(&self) -> &'a str {
        self.0.as_str().trim()
    }
}
