//! The other side of [`Processes`](super::Processes): one job, read from standard input, done, and written to standard output.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::ir::Task;
use crate::model::{Control, Purpose};

use super::trial::perform;
use super::{Data, Done, Job, TrialError, wire};

/// The first frame of a request; the second is the table.
#[derive(Serialize, Deserialize)]
pub struct Request {
    pub task: Task,
    pub purpose: Purpose,
    pub job: Job,
}

/// The first frame of a reply; the bundles follow.
#[derive(Serialize, Deserialize)]
pub struct Reply {
    pub result: Result<Done, TrialError>,
    pub bundles: usize,
}

/// Does one job at low priority. What `mliot worker` is; ends with its input.
pub fn serve_worker(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    yield_to_others();
    let request: Request = serde_json::from_slice(&wire::read_frame(input)?)?;
    let table = wire::read_frame(input)?;
    let mut result = perform_request(&request, &table);
    let bundles = match &mut result {
        Ok(done) => std::mem::take(&mut done.bundles),
        Err(_) => Vec::new(),
    };
    wire::write_frame(output, &serde_json::to_vec(&Reply { result, bundles: bundles.len() })?)?;
    bundles.iter().try_for_each(|bundle| wire::write_frame(output, bundle))?;
    output.flush()
}

fn perform_request(request: &Request, table: &[u8]) -> Result<Done, TrialError> {
    let batch = wire::decode(table).map_err(TrialError::failed)?;
    let data = Data::new(&request.task, request.purpose, &batch);
    let data = data.map_err(|found| TrialError::failed(&found[0].message))?;
    perform(&data, &request.job, &Control::default())
}

/// Serving goes before training.
fn yield_to_others() {
    #[cfg(unix)]
    {
        const NICER: libc::c_int = 10;
        // SAFETY: changes this process's own priority and nothing else; that it may fail does not matter.
        unsafe { libc::nice(NICER) };
    }
}
