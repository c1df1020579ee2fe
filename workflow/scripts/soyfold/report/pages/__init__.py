"""The pages of the HTML report: tables that sort, interactive figures, methods and versions."""
