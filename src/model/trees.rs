//! Decision trees as predictions use them: flat arrays, walked from the root; and from these, sums over many trees.

use super::{Matrix, Weights};

/// Marks a leaf.
const LEAF: u32 = u32::MAX;

/// Many trees one behind the other; each node's first child stands right behind it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trees {
    /// The first node of each tree.
    roots: Vec<u32>,
    /// The column that a node looks at, or [`LEAF`].
    feature: Vec<u32>,
    /// What it compares with (a row goes to the first child if it is not greater), or the leaf's value.
    value: Vec<f32>,
    /// The second child.
    second: Vec<u32>,
}

/// A tree under construction.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Leaf(f32),
    Split {
        feature: usize,
        /// Rows with `x <= threshold` go to the first child.
        threshold: f32,
        /// Positions among the tree's nodes.
        first: usize,
        second: usize,
    },
}

impl Trees {
    pub fn len(&self) -> usize {
        self.roots.len()
    }

    /// `nodes[0]` is the root; every node is reached once.
    pub fn push(&mut self, nodes: &[Node]) {
        self.roots.push(self.feature.len() as u32);
        // Second children that wait, with the node that points to them.
        let mut waiting: Vec<(usize, Option<usize>)> = vec![(0, None)];
        while let Some((at, parent)) = waiting.pop() {
            let mut next = Some(at);
            if let Some(parent) = parent {
                self.second[parent] = self.feature.len() as u32;
            }
            while let Some(at) = next {
                let own = self.feature.len();
                match &nodes[at] {
                    Node::Leaf(value) => {
                        self.write(LEAF, *value);
                        next = None;
                    }
                    Node::Split { feature, threshold, first, second } => {
                        self.write(*feature as u32, *threshold);
                        waiting.push((*second, Some(own)));
                        next = Some(*first);
                    }
                }
            }
        }
    }

    fn write(&mut self, feature: u32, value: f32) {
        self.feature.push(feature);
        self.value.push(value);
        self.second.push(0);
    }

    /// The sum of the leaves that `row` reaches in the trees `from..to`, in their order.
    pub fn sum(&self, from: usize, to: usize, row: &[f32]) -> f32 {
        self.roots[from..to].iter().map(|root| self.leaf(*root as usize, row)).sum()
    }

    fn leaf(&self, mut at: usize, row: &[f32]) -> f32 {
        loop {
            let feature = self.feature[at];
            if feature == LEAF {
                return self.value[at];
            }
            at = if row[feature as usize] <= self.value[at] { at + 1 } else { self.second[at] as usize };
        }
    }

    pub fn save(&self, weights: Weights) -> Weights {
        weights
            .with_u32("trees.roots", self.roots.clone())
            .with_u32("trees.feature", self.feature.clone())
            .with_u32("trees.second", self.second.clone())
            .with_f32("trees.value", vec![self.value.len()], self.value.clone())
    }

    /// None where the arrays make no trees over `columns` columns.
    pub fn load(weights: &mut Weights, columns: usize) -> Option<Trees> {
        let trees = Trees {
            roots: weights.take_u32("trees.roots")?,
            feature: weights.take_u32("trees.feature")?,
            second: weights.take_u32("trees.second")?,
            value: weights.take_f32("trees.value")?.1,
        };
        trees.is_sound(columns).then_some(trees)
    }

    /// Children stand behind their parents and inside, so that every walk ends.
    fn is_sound(&self, columns: usize) -> bool {
        let nodes = self.feature.len();
        let equal = self.value.len() == nodes && self.second.len() == nodes;
        let rooted = self.roots.iter().all(|root| (*root as usize) < nodes);
        let node = |at: usize| {
            let second = self.second[at] as usize;
            self.feature[at] == LEAF
                || ((self.feature[at] as usize) < columns && second > at && second < nodes && at + 1 < nodes)
        };
        equal && rooted && (0..nodes).all(node)
    }
}

/// The largest f32 that is not greater: `x <= threshold` then says the same of every f32 x.
pub fn not_greater(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) > threshold { near.next_down() } else { near }
}

/// The largest f32 that is less: `x <= below(threshold)` then says `x < threshold` of every f32 x.
pub fn below(threshold: f64) -> f32 {
    let near = threshold as f32;
    if f64::from(near) >= threshold { near.next_down() } else { near }
}

/// Shares of classes from one sum each; alike where all are nothing.
pub fn shares(sums: &mut [f32]) {
    sums.iter_mut().for_each(|sum| *sum = sum.max(0.0));
    let total: f32 = sums.iter().sum();
    let count = sums.len() as f32;
    sums.iter_mut().for_each(|sum| *sum = if total > 0.0 { *sum / total } else { 1.0 / count });
}

/// A matrix with one row per row of `x`, filled by `fill`.
pub fn by_row(x: &Matrix, width: usize, mut fill: impl FnMut(&[f32], &mut [f32])) -> Matrix {
    let mut out = Matrix::zeros(x.rows, width);
    (0..x.rows).for_each(|row| fill(x.row(row), out.row_mut(row)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Vec<Node> {
        vec![
            Node::Split { feature: 1, threshold: 0.5, first: 3, second: 1 },
            Node::Split { feature: 0, threshold: 2.0, first: 4, second: 2 },
            Node::Leaf(3.0),
            Node::Leaf(1.0),
            Node::Leaf(2.0),
        ]
    }

    #[test]
    fn a_row_finds_its_leaf() {
        let mut trees = Trees::default();
        trees.push(&tree());
        trees.push(&[Node::Leaf(10.0)]);
        assert_eq!(trees.sum(0, 1, &[9.0, 0.5]), 1.0);
        assert_eq!(trees.sum(0, 1, &[2.0, 0.6]), 2.0);
        assert_eq!(trees.sum(0, 2, &[2.1, 0.6]), 13.0);
        let saved = trees.save(Weights::default());
        assert_eq!(Trees::load(&mut saved.clone(), 2), Some(trees));
        assert_eq!(Trees::load(&mut saved.clone(), 1), None, "it looks at a second column");
    }

    #[test]
    fn a_narrowed_threshold_says_the_same_of_every_number() {
        for wide in [0.1f64, -0.1, 1.0, 1e-40, 16_777_217.0] {
            let narrow = not_greater(wide);
            for x in [narrow, narrow.next_up(), narrow.next_down()] {
                assert_eq!(x <= narrow, f64::from(x) <= wide, "{x} and {wide}");
                assert_eq!(x <= below(wide), f64::from(x) < wide, "{x} and {wide}");
            }
        }
    }

    #[test]
    fn shares_add_up() {
        let (mut some, mut none) = ([0.2, 0.6, 0.0], [0.0, -0.1]);
        shares(&mut some);
        shares(&mut none);
        assert_eq!((some, none), ([0.25, 0.75, 0.0], [0.5, 0.5]));
    }
}
