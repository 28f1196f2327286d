//! Values of rows: shared where many rows hold the same.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Epoch milliseconds: a number in inline results, text in streams and CSV.
    Time(i64),
    Text(Arc<str>),
    List(Arc<[Value]>),
}

impl Value {
    pub fn texts(texts: &[&str]) -> Self {
        Value::List(
            texts
                .iter()
                .map(|text| Value::Text((*text).into()))
                .collect(),
        )
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) | Value::Float(_) | Value::Time(_) => 2,
            Value::Text(_) => 3,
            Value::List(_) => 4,
        }
    }

    fn number(&self) -> f64 {
        match self {
            Value::Int(number) | Value::Time(number) => *number as f64,
            Value::Float(number) => *number,
            _ => 0.0,
        }
    }

    /// The order of values: null, booleans, numbers, texts, lists.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => {
                let unequal = a
                    .iter()
                    .zip(b.iter())
                    .map(|(a, b)| a.order(b))
                    .find(|order| order.is_ne());
                unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Value::Int(a) | Value::Time(a), Value::Int(b) | Value::Time(b)) => a.cmp(b),
            _ if self.rank() == 2 && other.rank() == 2 => self.number().total_cmp(&other.number()),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Value::Null => {}
            Value::Bool(yes) => yes.hash(state),
            Value::Int(_) | Value::Float(_) | Value::Time(_) => self.number().to_bits().hash(state),
            Value::Text(text) => text.hash(state),
            Value::List(list) => list.iter().for_each(|value| value.hash(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_kinds_compare_and_null_comes_first() {
        assert_eq!(Value::Int(7), Value::Float(7.0));
        assert_eq!(Value::Time(5), Value::Int(5));
        assert!(Value::Null.order(&Value::Int(-5)).is_lt());
        assert!(Value::Int(5).order(&Value::Text("1".into())).is_lt());
        assert!(
            Value::texts(&["a"])
                .order(&Value::texts(&["a", "b"]))
                .is_lt()
        );
    }
}
