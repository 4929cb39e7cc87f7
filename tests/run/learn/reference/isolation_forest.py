"""What scikit-learn's isolation forest and a plain z-score get on AI4I 2020: learned from the first 80 % of the rows,
judged on the last 20 % by the area under the ROC curve against `Machine failure`. Run with MLIOT_DATA set; scikit-learn 1.x.
The figures stand in tests/run/learn/anomalies.rs."""
import csv, gzip, os
import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

with gzip.open(os.path.join(os.environ["MLIOT_DATA"], "ai4i2020/ai4i2020.csv.gz"), "rt", encoding="utf-8-sig") as file:
    rows = list(csv.reader(file))[1:]
x = np.array([[float(value) for value in row[3:8]] for row in rows])
y = np.array([int(row[8]) for row in rows])
cut = int(len(rows) * 0.8)
areas = []
for seed in range(20):
    forest = IsolationForest(n_estimators=400, max_samples=256, random_state=seed).fit(x[:cut])
    areas.append(roc_auc_score(y[cut:], -forest.score_samples(x[cut:])))
print("isolation_forest", np.mean(areas), np.std(areas))
z = np.abs((x - x[:cut].mean(0)) / x[:cut].std(0)).max(1)
print("zscore", roc_auc_score(y[cut:], z[cut:]))
