"""What does each fold train on? The augmentation, and a contact sheet of it for every fold."""
