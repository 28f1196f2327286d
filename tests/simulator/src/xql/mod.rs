//! A small XQL: enough for the questions that integrations ask of the vulnerability datasets.

pub mod datasets;
pub mod engine;
pub mod eval;
pub mod lexer;
pub mod output;
pub mod parser;
pub mod value;
