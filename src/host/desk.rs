//! Where requests are handed to the engine's thread.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};

use arrow::array::RecordBatch;
use tokio::sync::oneshot;

use crate::base::Name;
use crate::runtime::{Asked, Unasked};
use crate::server::{Answer, Answering, Backend, Refusal, Status};

use super::board::Board;
use super::engine::{Ask, Order};

pub struct Desk {
    pub orders: SyncSender<Order>,
    pub board: Arc<Board>,
}

impl Backend for Desk {
    fn predict(&self, task: &Name, rows: RecordBatch) -> Answering {
        let (reply, answer) = oneshot::channel();
        let sent = self.orders.try_send(Order::Ask(Ask { task: task.clone(), rows, reply }));
        let (board, task) = (self.board.clone(), task.clone());
        Box::pin(async move {
            match sent {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => return Err(Refusal::Overloaded),
                Err(TrySendError::Disconnected(_)) => return Err(Refusal::Stopping),
            }
            match answer.await {
                Ok(Ok(asked)) => Ok(answered(asked)),
                Ok(Err(Unasked::NoModel)) => Err(Refusal::NoModel { why: board.why_no_model(&task) }),
                Ok(Err(Unasked::Failed(error))) => {
                    Err(Refusal::Failed { code: error.code.to_string(), message: error.message })
                }
                Err(_) => Err(Refusal::Stopping),
            }
        })
    }

    fn status(&self) -> Status {
        self.board.status()
    }
}

fn answered(asked: Asked) -> Answer {
    let Asked { version, values, scores, reason } = asked;
    Answer { version, values, scores, reason }
}
