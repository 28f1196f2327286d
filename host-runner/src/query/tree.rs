//! `and`, `or` and `not` over tests of any kind.

/// A test, or several joined. Joins are flat: an `and` stands never directly in an `and`, nor an `or` in an `or`.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree<T> {
    /// The test holds.
    Is(T),
    /// It does not hold.
    Not(Box<Tree<T>>),
    /// Each holds.
    All(Many<T>),
    /// At least one holds.
    Any(Many<T>),
}

/// Two trees or more.
#[derive(Debug, Clone, PartialEq)]
pub struct Many<T>(Vec<Tree<T>>);

impl<T> Many<T> {
    /// In the order in which they were typed.
    pub fn iter(&self) -> impl Iterator<Item = &Tree<T>> {
        self.0.iter()
    }
}

impl<T> Tree<T> {
    /// The opposite.
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// `first` and each of `rest`.
    pub fn all(first: Self, rest: Vec<Self>) -> Self {
        Self::join(first, rest, Self::All, |tree| match tree {
            Self::All(Many(inner)) => Ok(inner),
            other => Err(other),
        })
    }

    /// `first` or one of `rest`.
    pub fn any_of(first: Self, rest: Vec<Self>) -> Self {
        Self::join(first, rest, Self::Any, |tree| match tree {
            Self::Any(Many(inner)) => Ok(inner),
            other => Err(other),
        })
    }

    fn join(
        first: Self,
        rest: Vec<Self>,
        whole: fn(Many<T>) -> Self,
        open: fn(Self) -> Result<Vec<Self>, Self>,
    ) -> Self {
        if rest.is_empty() {
            return first;
        }
        let mut flat = Vec::new();
        for tree in std::iter::once(first).chain(rest) {
            match open(tree) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        whole(Many(flat))
    }

    /// Whether a test somewhere in the tree is such.
    pub fn any(&self, such: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Is(test) => such(test),
            Self::Not(tree) => tree.any(such),
            Self::All(trees) | Self::Any(trees) => trees.iter().any(|tree| tree.any(such)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_are_flat() {
        let two = Tree::all(Tree::Is(1), vec![Tree::Is(2)]);
        let three = Tree::all(two.clone(), vec![Tree::Is(3)]);
        assert_eq!(
            three,
            Tree::all(Tree::Is(1), vec![Tree::Is(2), Tree::Is(3)])
        );
        let other = Tree::any_of(two.clone(), vec![Tree::Is(3)]);
        assert!(matches!(&other, Tree::Any(trees) if trees.iter().next() == Some(&two)));
        assert_eq!(Tree::any_of(Tree::Is(1), vec![]), Tree::Is(1));
    }
}
