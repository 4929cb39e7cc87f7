"""What scikit-learn gets on optdigits (every fourth row of the test part) with scaled numbers. Run with MLIOT_DATA set.
The figures stand in tests/run/learn/digits.rs."""
import csv, gzip, os
import numpy as np
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def read(part):
    with gzip.open(os.path.join(os.environ["MLIOT_DATA"], f"optdigits/optdigits.{part}.csv.gz"), "rt") as file:
        rows = np.array([[int(value) for value in row] for row in csv.reader(file)])
    return rows[:, :64], rows[:, 64]

x, y = read("tra")
tx, ty = read("tes")
tx, ty = tx[::4], ty[::4]
for name, model in [("naive_bayes", GaussianNB()), ("knn 5", KNeighborsClassifier(5)), ("knn 1", KNeighborsClassifier(1))]:
    print(name, make_pipeline(StandardScaler(), model).fit(x, y).score(tx, ty))
