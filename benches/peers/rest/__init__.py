"""Django REST framework and django-filter."""
