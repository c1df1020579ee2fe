"""One fit of a network or an ensemble: layout, scaler, loop, refit, predictions."""

import dataclasses
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from soyfold.common.logs import log
from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.models.tokens import lay_out_groups, make_layout, with_classes
from soyfold.training import loop
from soyfold.training.calibration import calibrate, learn_best, measure_lines
from soyfold.training.checkpoints import save_networks
from soyfold.training.environment_tasks import fill_unknown
from soyfold.training.outputs import write_fit
from soyfold.training.own_losses import link, own_losses, tell
from soyfold.training.scaling import fit_scaler
from soyfold.training.shared_kernels import weights_for
from soyfold.training.tasks import HISTORY, Fit


@dataclasses.dataclass(frozen=True)
class Member:
    """One initialisation, trained: what predicts, and what it told of lines it hadn't seen.

    Attributes
    ----------
    network : nn.Module
    scaler : soyfold.training.scaling.Scaler
        Of the lines that `network` was fitted on.
    held_out : ndarray of the shape of y
        Trait units; NaN but for validation lines.
    trained : list of soyfold.training.loop.Trained
        The fit that chose the epoch, and the refit where there is one.
    """

    network: torch.nn.Module
    scaler: object
    held_out: np.ndarray
    trained: list


class ResumeFiles:
    """The resume files of a fit, one for each training that it consists of.

    Parameters
    ----------
    folder : path-like
        That of the fit's outputs.
    block, task, cohort
        As for `fit_network`.
    source : list of str
        Digests of the code that fits (`soyfold.common.digest.source_digests`), as the rule has
        them: to read the sources again here took a tenth of a small fit.
    seconds : float
        Least time from one write to the next.
    """

    def __init__(self, folder, block, task, cohort, *, source=(), seconds=loop.CHECKPOINT_SECONDS):
        self.folder, self.seconds = Path(folder), seconds
        self.expected = loop.fingerprint(
            model=[block["module"], block["parameters"]],
            seed=task.seed,
            lines=[task.sample.tolist(), task.part.tolist()],
            trait=task.y,
            **({} if task.noise is None else {"noise": task.noise}),
            **({} if set(cohort.kinds) == {"quantitative"} else {"kinds": cohort.kinds}),
            dosage=task.dosage,
            chromosomes=[cohort.chromosomes, cohort.snp_chromosome.tolist()],
            cim=None if cohort.cim is None else cohort.cim.to_numpy(),
            **({} if cohort.groups is None else {"groups": group_numbers(cohort.groups)}),
            place=places_of(block, cohort),
            classes=None if cohort.classes is None else cohort.classes.tolist(),
            software=torch.__version__,
            device=[loop.device_name(), devices_of(block), torch.get_num_threads()],
            source=list(source),
        )
        options = training_options(block["parameters"])
        self.last = (options["members"] - 1, bool(options["refit"]))

    def of(self, member, epochs):
        """Makes the file of a member's first trainings, or of its refit over `epochs`.

        Parameters of what is returned: the number of a network's choice, and whether more follow.
        """

        def file(choice=0, more=False):
            name = "resume" + (f"_member{member}" if member else "")
            name += (f"_choice{choice}" if choice else "") + ("_refit" if epochs else "")
            stage = loop.fingerprint(stage=[member, epochs, *([choice] if choice else [])])
            path = self.folder / f"{name}.ckpt"
            last = (member, epochs is not None) == self.last and not more
            return loop.Resume(path, self.expected | stage, self.seconds, last=last)

        return file

    def remove(self):
        """The fit's outputs stand: its files have done their work, and those of a fit before it
        that was cut short and had more choices or members."""
        for path in self.folder.glob("resume*.ckpt"):
            path.unlink()


def group_numbers(groups):
    """What of groups decides a fit, as one array."""
    members = groups.members
    return np.concatenate([members.indices, members.indptr, groups.weights.ravel()])


def lay_out(block, cohort):
    """The tokens of a model on a cohort's SNPs, and its outputs (`tokens.Layout`)."""
    names = cohort.chromosomes
    codes = pd.Index(names).get_indexer(cohort.snp_chromosome)
    outputs = cohort.outputs
    if block["parameters"].get("tokens") == "group":
        layout = lay_out_groups(codes, names, cohort.groups, outputs=outputs)
    else:
        width = block["parameters"].get("window") or 1
        place = places_of(block, cohort)
        layout = make_layout(codes, names, width=width, outputs=outputs, position=place)
    layout = dataclasses.replace(layout, kept=cohort.kept)
    return layout if cohort.classes is None else with_classes(layout, cohort.classes)


def places_of(block, cohort):
    """Base pairs of the SNPs, for a model that reads them; None for another."""
    return cohort.position if block["parameters"].get("position") == "rope_bp" else None


def build_network(block, cohort, seed):
    """Layout and freshly initialised network of a model on a cohort's SNPs."""
    layout = lay_out(block, cohort)
    cim = None if cohort.cim is None else torch.tensor(cohort.cim.to_numpy(), dtype=torch.float32)
    torch.manual_seed(seed)
    network = import_model(block["module"]).Network(layout, block["parameters"], cim)
    return layout, network


def devices_of(block):
    """Devices that share a fit: the model's `gpu` where there are GPUs, else the one CPU."""
    return max(1, block["gpu"]) if loop.device_name() == "cuda" else 1


def member_seed(seed, number):
    """Seed of an ensemble's member: the first is the network alone."""
    if number == 0:
        return seed
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0]) >> 1


def train_network(
    block, task, cohort, seed, *, epochs=None, choice=None, measured=None, on_epoch=None,
    resume=None,
):  # fmt: skip
    """Train on the training lines by validation; or, over `epochs`, on both parts together.

    A network that has `choices` is trained with each of them, from the same initialisation, and
    that of the least validation loss is left.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort
    seed : int
        Of the initialisation and of all that training draws.
    epochs, on_epoch
        As for `soyfold.training.loop.train`; `on_epoch` hears of the first choice's epochs.
    choice : optional
        The network's one choice, where validation has taken it.
    measured : optional
        What `measure_lines` told of the lines; asked here where it isn't given.
    resume : callable, optional
        Makes the files that a killed fit goes on from (`ResumeFiles.of`).

    Returns
    -------
    network : nn.Module
        With the attribute `choice`, where it has choices.
    scaler : soyfold.training.scaling.Scaler
        Of the lines that it was fitted on.
    trained : soyfold.training.loop.Trained
    """
    parts = ("train",) if epochs is None else ("train", "val")
    rows = task.rows(*parts)
    scaler = fit_scaler(task.dosage[rows], task.y[rows], alike=bool(task.environments))
    _, network = build_network(block, cohort, seed)
    measured = measured or measure_lines(network, block, task, cohort, *parts)
    calibrate(network, task, rows, scaler, measured, seed)
    link(network, own_losses(network, block, task, cohort)[0], task.y[rows])

    def learn(resume, *, first=True):
        heard = on_epoch if first else None  # a search is told of an epoch once
        return loop.train(
            network,
            task.dosage,
            scaler.standardise(task.y),
            scaler=scaler,
            train_rows=rows,
            val_rows=task.rows("val") if epochs is None else None,
            options=training_options(block["parameters"]),
            seed=seed,
            epochs=epochs,
            on_epoch=heard,
            resume=resume,
            devices=1 if on_epoch else devices_of(block),
            weights=weights_for(block["module"], task, rows),
        )

    choices = getattr(network, "choices", None) if choice is None else (choice,)
    return network, scaler, learn_best(network, choices, learn, resume)


def _fit_member(block, task, cohort, number, resume, measured):
    """Train one initialisation; with the option `refit` once more, on train + val.

    `measured` has what `measure_lines` told of the training lines, and of train + val.
    """
    options = training_options(block["parameters"])
    seed = member_seed(task.seed, number)

    def stage(measured, epochs=None, choice=None):
        file = resume and resume.of(number, epochs)
        return train_network(
            block, task, cohort, seed, epochs=epochs, choice=choice, measured=measured, resume=file
        )

    network, scaler, trained = stage(measured[0])
    held_out, rows = np.full(task.y.shape, np.nan), task.rows("val")
    told = loop.predict(network, task.dosage[rows], scaler=scaler, size=options["batch_size"])
    held_out[rows] = told.reshape(held_out[rows].shape)
    if not options["refit"]:
        return Member(network, scaler, held_out, [trained])
    log.info("refit on train + val: %d epochs", trained.best_epoch)
    choice = getattr(network, "choice", None)
    network, scaler, again = stage(measured[1], trained.best_epoch, choice)
    return Member(network, scaler, held_out, [trained, again])


def _predict_timed(members, task, size):
    """Mean predictions of the members, of the shape of y, and milliseconds a line."""
    started = time.perf_counter()
    told = [loop.predict(m.network, task.dosage, scaler=m.scaler, size=size) for m in members]
    latency = 1e3 * (time.perf_counter() - started) / len(task.dosage)
    return fill_unknown(task, np.mean(told, axis=0).reshape(task.y.shape)), latency


def _history(members):
    """Epochs of the fits that chose by validation; of several members with a column `member`."""
    tables = [pd.DataFrame(member.trained[0].history, columns=HISTORY) for member in members]
    if len(members) == 1:
        return tables[0]
    return pd.concat(tables, keys=range(len(members)), names=["member"]).reset_index(level=0)


def _cost(members):
    """What training cost, over all members and refits: sums, the peak, and means of the rates."""
    table = pd.DataFrame([trained.cost for member in members for trained in member.trained])
    shares = table.train_seconds / table.train_seconds.sum()
    epochs = sum(len(member.trained[0].history) for member in members)
    refits = sum(again.best_epoch for member in members for again in member.trained[1:])
    return {
        "epochs": epochs + refits,
        "device": table.device[0],
        "train_seconds": table.train_seconds.sum(),
        "train_lines_per_second": (table.train_lines_per_second * shares).sum(),
        "data_wait_share": (table.data_wait_share * shares).sum(),
        "peak_gpu_memory_mb": table.peak_gpu_memory_mb.max(),
        "resumed": int(table.resumed.sum()),
    }


def fit_network(block, task, cohort, *, resume=None, measure=None):
    """Fit a network, or the several initialisations of an ensemble, on a task.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort
    resume : ResumeFiles, optional
    measure : callable, optional
        `soyfold.training.attention.measure_members` for a network whose attention is told.

    Returns
    -------
    soyfold.training.tasks.Fit
        Predictions are the mean over members. With the option `refit` they come from networks
        trained anew on train + val, from the same initialisation and on the same learning-rate
        schedule, up to the epoch that validation chose; `held_out` never does.

    Raises
    ------
    UserError
        If the loss is no number or diverges, or the memory doesn't suffice.
    """
    options = training_options(block["parameters"])
    layout, network = build_network(block, cohort, task.seed)
    count = sum(p.numel() for p in network.parameters()) * options["members"]
    log.info("%d tokens, %d parameters, on %s", layout.n_tokens, count, loop.device_name())
    tell(*own_losses(network, block, task, cohort), cohort)
    size = options["batch_size"]  # what memory can hold in training it can hold afterwards
    extra, between = [(None, "parameters", count)], None
    if cohort.kept is not None:
        counts = {"independent_loci": cohort.kept.sum(), "copied_loci": (~cohort.kept).sum()}
        extra += [(None, name, int(count)) for name, count in counts.items()]
    with loop.memory_errors(n=layout.n_tokens, batch_size=size, model=block["name"]):
        parts = [("train",), ("train", "val")][: 2 if options["refit"] else 1]
        measured = [measure_lines(network, block, task, cohort, *each) for each in parts]
        numbers = range(options["members"])
        members = [_fit_member(block, task, cohort, k, resume, measured) for k in numbers]
        predicted, latency = _predict_timed(members, task, size)
        networks, scaler = [member.network for member in members], members[0].scaler
        if measure:
            shown = task.parts[-1]  # test; validation in a final fit
            lines = task.dosage[task.rows(shown)]
            figures, between = measure(
                networks,
                lines,
                start=network,
                scaler=scaler,
                names=cohort.chromosomes,
                size=size,
            )
            extra += [(shown, name, value) for name, value in figures.items()]
    if hasattr(networks[0], "figures"):
        told = pd.DataFrame([network.figures() for network in networks]).mean().dropna()
        extra += [(None, name, float(value)) for name, value in told.items()]
    if options["refit"]:
        chosen = np.mean([member.trained[0].best_epoch for member in members])
        extra.append((None, "chosen_epochs", float(chosen)))
    return Fit(
        predicted=predicted,
        held_out=np.mean([member.held_out for member in members], axis=0),
        history=_history(members),
        extra=extra,
        cost={**_cost(members), "predict_ms_per_line": latency},
        save=lambda path: save_networks(
            path, networks, scaler, layout, block, cohort.traits, cohort.environments
        ),
        attention=between,
    )


def fit_and_write(block, task, cohort, folder, *, threads=1, measure=None, **resuming):
    """Fit a network, and write its outputs into `folder`; a fit that was killed goes on.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort
    folder : path-like
    threads : int, keyword only
        Threads of the CPU.
    measure : callable, keyword only
        As for `fit_network`.
    **resuming
        `source` and `seconds` of `ResumeFiles`.
    """
    torch.set_num_threads(threads)
    started = time.perf_counter()
    resume = ResumeFiles(folder, block, task, cohort, **resuming)
    fit = fit_network(block, task, cohort, resume=resume, measure=measure)
    write_fit(folder, task, fit, started=started)
    resume.remove()
