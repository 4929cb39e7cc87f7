//! The program as people have it: the real binary, its arguments, files and signals in, text and exit codes out.

mod again;
mod bench;
mod broken;
mod history;
mod inputs;
mod json;
mod keep;
mod killed;
mod kills;
mod live;
mod models;
mod pipelines;
mod probation;
mod refused;
mod relay;
mod same;
mod score;
mod seen;
mod tensors;
mod verify;
mod walk;
